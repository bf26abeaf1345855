// The page of `detour lab --format html`. Whatever a client or a server wrote is set as text, never as markup.
"use strict";

const $ = (id) => document.getElementById(id);
const open = new Map(); // what has been inflated, by the id of its element
let data, shown; // the index; the clients shown

async function inflated(id) {
  if (!open.has(id)) {
    const octets = Uint8Array.from(atob($(id).textContent.trim()), (char) => char.charCodeAt(0));
    const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
    open.set(id, new Response(stream).json());
  }
  return open.get(id);
}

function element(name, text, ...classes) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  made.classList.add(...classes.filter(Boolean));
  return made;
}

const worse = (cell) => (data.verdicts[cell[1]].bold && !data.verdicts[cell[0]].bold ? cell[1] : cell[0]);

function chosen() {
  const question = data.questions.find((one) => one.key === $("question").value);
  return {
    question,
    clients: [...document.querySelectorAll("#clients input:checked")].map((box) => Number(box.value)),
    status: Number($("status").value),
    group: $("group").value,
    verdict: $("verdict").value,
    words: $("words").value.trim().toLowerCase(),
  };
}

function hits(cell, want) {
  if (!want.verdict) return true;
  if (!cell) return false;
  if (want.verdict === "fault") return data.verdicts[cell[0]].bold || data.verdicts[cell[1]].bold;
  return want.verdict === "varying" ? Boolean(cell[2]) : cell[0] === want.verdict || cell[1] === want.verdict;
}

function wanted(number, want) {
  const one = data.cases[number];
  return (
    (!want.question || want.question.cases.includes(number)) &&
    (!want.status || one.statuses.includes(want.status)) &&
    (!want.group || one.group === want.group) &&
    (!want.words || `${one.id} ${one.title}`.toLowerCase().includes(want.words)) &&
    (!want.verdict || want.clients.some((client) => hits(data.cells[client][number], want)))
  );
}

function letterOf(cell, want) {
  const axis = want.question ? (want.question.axis === "credentials" ? cell[1] : cell[0]) : null;
  const credentials = ["leaked", "forwarded"].includes(want.verdict) || ["dropped", "kept within"].includes(want.verdict);
  return axis ?? (credentials ? cell[1] : worse(cell));
}

function drawn(client, number, want) {
  const cell = data.cells[client][number];
  const made = element("td");
  made.dataset.v = "";
  made.dataset.client = client;
  made.dataset.number = number;
  made.tabIndex = -1;
  if (!cell) {
    made.textContent = "·";
    made.className = "none";
    return made;
  }
  const verdict = letterOf(cell, want);
  made.textContent = data.verdicts[verdict].letter + (cell[2] ? "~" : "");
  made.className = data.verdicts[verdict].shade + (hits(cell, want) ? "" : " faint");
  made.title = `${data.clients[client].name}: ${cell[0]}, ${cell[1]}${cell[2] ? ", varying" : ""}`;
  return made;
}

function draw() {
  const want = chosen();
  shown = want.clients;
  const head = element("tr");
  head.append(element("th"));
  for (const client of shown) {
    const column = element("th");
    column.append(element("span", `${data.clients[client].name} ${data.clients[client].version}`));
    head.append(column);
  }
  const body = document.createDocumentFragment();
  let rows = 0;
  data.cases.forEach((one, number) => {
    if (!wanted(number, want)) return;
    rows += 1;
    const row = element("tr");
    const name = element("th");
    name.append(element("code", one.id));
    name.title = one.title;
    row.append(name, ...shown.map((client) => drawn(client, number, want)));
    body.append(row);
  });
  $("cells").querySelector("thead").replaceChildren(head);
  $("cells").querySelector("tbody").replaceChildren(body);
  const first = $("cells").querySelector("td");
  if (first) first.tabIndex = 0;
  $("count").textContent = `${rows} of ${data.cases.length} cases, ${shown.length} clients`;
}

function term(list, name, ...values) {
  const value = element("dd");
  value.append(...values);
  list.append(element("dt", name), value);
}

function tag(verdict) {
  return element("span", verdict, "tag", data.verdicts[verdict].shade);
}

// Octets are in Latin-1; what is not printable ASCII is spelled out, line ends of a head stay.
function octets(text, lines) {
  const kept = lines ? text.replaceAll("\r\n", "\n") : text;
  return kept.replace(/[^\n\x20-\x7e]|\n/g, (char) =>
    char === "\n" && lines ? "\n" : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function difference(one) {
  const made = element("pre");
  made.append(`content first differs at octet ${one.offset}: ${one.expected_length} expected, ${one.arrived_length} arrived\n`);
  const start = Math.min(12, one.offset);
  for (const [name, text] of [["expected", one.expected], ["arrived ", one.arrived]]) {
    made.append(`${name} …${octets(text.slice(0, start))}`);
    made.append(element("mark", octets(text.slice(start)) || "(nothing)"), "\n");
  }
  return made;
}

function request(one, number) {
  const made = element("section");
  const to = data.origins[one.origin] ?? one.origin;
  const title = element("h3", `Request ${number + 1} `);
  const marks = [one.form === "first" ? "" : (data.forms[one.form] ?? one.form), one.complete ? "" : "not complete"];
  title.append(element("small", [`to ${to}`, ...marks.filter(Boolean)].join("; ")));
  made.append(title, element("pre", octets(one.head, true).trimEnd()));
  const size = `${one.length.toLocaleString("en")} octets of content`;
  const hash = one.sha256 ? `, SHA-256 ${one.sha256}` : "";
  made.append(element("p", size + hash, "mute"));
  if (one.begins) made.append(element("pre", octets(one.begins) + (one.length > one.begins.length ? "…" : "")));
  if (one.difference) made.append(difference(one.difference));
  return made;
}

async function show(client, number) {
  const panel = $("cell");
  const [who, one, cell] = [data.clients[client], data.cases[number], data.cells[client][number]];
  const close = element("button", "Close");
  close.addEventListener("click", hide);
  const list = element("dl");
  const parts = [close, element("h2", `${who.name} ${who.version}`), element("p", one.title), list];
  term(list, "case", element("code", one.id));
  term(list, "allowed", one.allowed.join(", "), element("small", ` (${one.clause})`));
  if (cell) {
    const told = (await inflated(`evidence-${client}`))[number];
    term(list, "request", tag(cell[0]), ` ${told.why}`);
    term(list, "credentials", tag(cell[1]), ` ${told.credentials_why}`);
    for (const often of told.varying) term(list, `${often.times} of ${told.trials} runs`, `${often.request}, ${often.credentials}: ${often.why || ""}`);
    term(list, "the client said", told.said);
    for (const note of told.notes) term(list, "note", `${data.notes[note.name] ?? note.name}${note.detail ? `: ${note.detail}` : ""}`);
    for (const remark of told.remarks) term(list, "remark", remark);
    parts.push(...told.requests.map(request));
  } else {
    term(list, "not asked", who.not_asked[one.id] ?? "not part of this run");
  }
  panel.replaceChildren(...parts);
  panel.hidden = false;
  panel.scrollTop = 0;
  history.replaceState(null, "", `#${encodeURIComponent(who.name)}:${one.id}`);
  close.focus({ preventScroll: true });
}

function hide() {
  $("cell").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
}

function only(client, key) {
  for (const box of document.querySelectorAll("#clients input")) box.checked = client === null || Number(box.value) === client;
  $("question").value = key;
  $("verdict").value = $("status").value = $("group").value = $("words").value = "";
  draw();
  $("browse").scrollIntoView();
}

function move(event) {
  const at = event.target.closest("td[data-v]");
  if (!at) return;
  const row = at.parentElement;
  const column = [...row.children].indexOf(at);
  const next = {
    ArrowLeft: () => at.previousElementSibling,
    ArrowRight: () => at.nextElementSibling,
    ArrowUp: () => row.previousElementSibling?.children[column],
    ArrowDown: () => row.nextElementSibling?.children[column],
  }[event.key]?.();
  if (event.key === "Enter") at.click();
  if (!next?.matches("td")) return;
  event.preventDefault();
  at.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function linked() {
  const [name, id] = decodeURIComponent(location.hash.slice(1)).split(/:(?=[^:]*$)/);
  const client = data.clients.findIndex((one) => one.name === name);
  const number = data.cases.findIndex((one) => one.id === id);
  if (client >= 0 && number >= 0) show(client, number);
}

async function start() {
  data = await inflated("index");
  $("filter").addEventListener("input", draw);
  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("all").addEventListener("click", () => only(null, ""));
  $("none").addEventListener("click", () => {
    for (const box of document.querySelectorAll("#clients input")) box.checked = false;
    draw();
  });
  $("cells").addEventListener("click", (event) => {
    const at = event.target.closest("td[data-v]");
    if (at) show(Number(at.dataset.client), Number(at.dataset.number));
  });
  $("cells").addEventListener("keydown", move);
  $("matrix").addEventListener("click", (event) => {
    const at = event.target.closest("td[data-q]");
    if (at) only(Number(at.dataset.client), at.dataset.q);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  window.addEventListener("hashchange", linked);
  draw();
  linked();
  document.body.dataset.ready = "yes";
}

start();
