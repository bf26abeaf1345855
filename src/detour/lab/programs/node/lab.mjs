// What every program written in JavaScript does: ask for a case, send it, tell the outcome, until there is none.
//
//     import axios from "axios";
//     import { run } from "./lab.mjs";
//
//     run(async (client, asked) => {
//       const { status } = await client.request({ method: asked.method, url: asked.url, headers: asked.headers() });
//       return { status };
//     }, () => axios.create());
//
// The first function returns status and URL of the response its client handed back, a redirect included, or
// throws what its client threw. It throws `Unsupported` where its client has no means of its own for what is
// asked. The second makes a client, which lives for one case; the third ends it.

import { createReadStream, openAsBlob, readFileSync } from "node:fs";
import { globalAgent } from "node:http";
import { globalAgent as globalTLSAgent } from "node:https";
import { Readable } from "node:stream";

const PIECE = 8192; // octets of a stream at a time

/** This client cannot send such a thing by its own means. */
export class Unsupported extends Error {}

/** What is asked. `kind`: none, empty, form, json, multipart, large, file, stream, chunked or expect. */
export class Asked {
  constructor(told) {
    const { content } = told;
    this.case = told.case;
    this.token = told.token;
    this.method = told.method;
    this.url = told.url;
    this.fields = told.fields; // [[name, value] …]
    this.kind = content.kind;
    this.type = content.type;
    this.text = content.text; // of empty, form and json
    this.pairs = content.pairs; // of form
    this.parts = content.parts; // of multipart
    this.file = content.file; // the octets, whatever the kind (but none)
    this.api = told.api;
    this.times = told.times;
    this.timeout = told.timeout * 1000;
    this.signal = AbortSignal.timeout(this.timeout * told.times);
  }

  /** The content in memory. */
  octets() {
    return readFileSync(this.file);
  }

  /** The content as a file that is read when it is sent, and again if need be. */
  blob() {
    return openAsBlob(this.file);
  }

  /** The content as an open file. */
  opened() {
    return createReadStream(this.file);
  }

  /** The content as a stream that can be read once. */
  stream() {
    return Readable.from(this.pieces());
  }

  *pieces() {
    const octets = this.octets();
    for (let at = 0; at < octets.length; at += PIECE) yield octets.subarray(at, at + PIECE);
  }

  /** The content in memory, to be iterated over again and again, of no length that anybody is told. */
  repeatable() {
    return { [Symbol.iterator]: () => this.pieces() };
  }

  /** The fields to send; `type` goes with content whose type the client does not know itself. */
  typed() {
    const own = ["none", "empty", "form", "multipart"].includes(this.kind);
    return own || !this.type ? this.fields : [...this.fields, ["Content-Type", this.type]];
  }

  /** `typed` as an object; a name that occurs twice has both values. */
  headers() {
    const found = {};
    for (const [name, value] of this.typed()) {
      found[name] = name in found ? [found[name], value].flat() : value;
    }
    return found;
  }

  /** The form, as the standard library has it. */
  params() {
    return new URLSearchParams(this.pairs);
  }

  /** The parts, by the form and the file of whoever asks. */
  async formData({ FormData, File } = globalThis) {
    const form = new FormData();
    for (const { name, filename, type, text, file } of this.parts) {
      form.append(name, filename ? new File([await openAsBlob(file)], filename, { type }) : text);
    }
    return form;
  }
}

/** Content for whatever is like `fetch`. */
export async function fetchContent(asked, classes = globalThis) {
  switch (asked.kind) {
    case "none":
      return {};
    case "empty":
    case "json":
      return { body: asked.text };
    case "form":
      return { body: asked.params() };
    case "multipart":
      return { body: await asked.formData(classes) };
    case "large":
      return { body: asked.octets() };
    case "file":
      return { body: await asked.blob() };
    case "stream":
      return { body: Readable.toWeb(asked.stream()), duplex: "half" };
  }
  throw new Unsupported(`knows no content of kind ${asked.kind}`);
}

/** A dispatcher like the one behind `fetch`, with connections of its own; the newest has the highest number. */
export async function dispatcher() {
  await fetch("data:,"); // the first call makes it
  const [agent] = [2, 1].map((number) => globalThis[Symbol.for(`undici.globalDispatcher.${number}`)]).filter(Boolean);
  return new agent.constructor();
}

/** What a program tells of an exception: its name, its message, and those of what caused it. */
function saidOf(error) {
  if (error instanceof Unsupported) return { unsupported: error.message };
  const words = [];
  for (let one = error; one; one = one.cause) words.push(one instanceof Error ? `${one.name}: ${one.message}` : `${one}`);
  return { error: words.join(": ").replace(/\s+/g, " ").slice(0, 400) };
}

/** Every case, each with a client of its own. */
export async function run(send, open = () => null, close = () => null, apis = ["http"]) {
  const base = process.env.DETOUR_LAB;
  const next = `${base}/next?client=${encodeURIComponent(process.env.DETOUR_LAB_CLIENT)}`;
  for (let answer; (answer = await fetch(next)).status === 200; ) {
    const asked = new Asked(await answer.json());
    const body = JSON.stringify(await said(asked, send, open, close, apis));
    await (await fetch(`${base}/outcome/${asked.token}`, { method: "POST", body })).text();
  }
  process.exit(0); // whatever a client keeps open
}

/** What has no limit of time of its own, or forgets it, has this one. */
function inTime(promise, signal) {
  const over = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  return Promise.race([promise, over]);
}

async function said(asked, send, open, close, apis) {
  if (!apis.includes(asked.api)) return { unsupported: `has no ${asked.api}` };
  const client = await open();
  try {
    let got;
    for (let time = 0; time < asked.times; time++) got = await inTime(send(client, asked), asked.signal);
    return { status: got.status, url: got.url ?? "" };
  } catch (error) { // what a client throws is what is asked
    return saidOf(error);
  } finally {
    await close(client);
    for (const agent of [globalAgent, globalTLSAgent]) agent.destroy(); // the connections of whatever has no other
  }
}
