# frozen_string_literal: true

# HTTParty: redirects followed as it does of itself.

require_relative 'lab'
require 'httparty'

def content(asked)
  case asked.kind
  when 'none' then {}
  when 'form' then { body: asked.form }
  when 'multipart' then { multipart: true, body: asked.parts.to_h { |part| [part.name, part(part)] } }
  when 'file' then { body_stream: asked.opened }
  when 'stream' then { body_stream: asked.piped }
  when 'chunked' then { body_stream: StringIO.new(asked.octets) }
  when 'expect' then raise asked.unknown
  else { body: asked.octets }
  end
end

# A file's name and type are those of its path, unless it says otherwise.
def part(part)
  return part.text if part.filename.empty?

  File.open(part.file, 'rb').tap { |file| file.define_singleton_method(:original_filename) { part.filename } }
end

def own(asked)
  case asked.kind
  when 'file' then { 'Content-Length' => asked.length.to_s }
  when 'stream', 'chunked' then { 'Transfer-Encoding' => 'chunked' }
  else {}
  end
end

Lab.run do
  lambda do |asked|
    told = { headers: asked.named(own(asked)), timeout: asked.timeout, format: :plain }
    answer = HTTParty.public_send(asked.method.downcase, asked.url, **told, **content(asked))
    [answer.code, answer.request.last_uri]
  end
end
