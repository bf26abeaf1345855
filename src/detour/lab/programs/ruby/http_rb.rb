# frozen_string_literal: true

# http.rb: `HTTP.follow`.

require_relative 'lab'
require 'http'

# A body that is made anew whenever it is asked for, and does not know how long it is.
class Repeatable
  include Enumerable

  def initialize(octets)
    @octets = octets
  end

  def each
    (0...@octets.bytesize).step(8192) { |at| yield @octets.byteslice(at, 8192) }
  end
end

def content(asked)
  case asked.kind
  when 'none' then {}
  when 'form' then { form: asked.form }
  when 'multipart' then { form: asked.parts.to_h { |part| [part.name, part(part)] } }
  when 'file' then { body: asked.opened }
  when 'stream' then { body: asked.piped }
  when 'chunked' then { body: Repeatable.new(asked.octets) }
  else { body: asked.octets }
  end
end

def part(part)
  return part.text if part.filename.empty?

  HTTP::FormData::File.new(part.file, filename: part.filename, content_type: part.type)
end

def own(asked)
  %w[stream chunked].include?(asked.kind) ? { 'Transfer-Encoding' => 'chunked' } : {}
end

Lab.run do |asked|
  client = HTTP.timeout(asked.timeout).follow
  lambda do |case_|
    fields = case_.fields.group_by(&:first).transform_values { |all| all.map(&:last) }
    headers = fields.merge(case_.type_field.to_h, own(case_))
    answer = client.request(case_.method.downcase.to_sym, case_.url, headers: headers, **content(case_))
    answer.to_s
    [answer.code, answer.uri]
  end
end
