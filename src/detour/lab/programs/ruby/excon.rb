# frozen_string_literal: true

# Excon: with its middleware RedirectFollower.

require_relative 'lab'
require 'excon'

def content(asked)
  case asked.kind
  when 'none' then {}
  when 'form' then { body: URI.encode_www_form(asked.pairs) }
  when 'file' then { body: asked.opened }
  when 'stream' then pieces(asked.piped)
  else { body: asked.octets }
  end
end

# A block that gives the next piece whenever it is called, and an empty one at the end.
def pieces(stream)
  { request_block: -> { stream.read(8192).to_s } }
end

Lab.run do |asked|
  middlewares = Excon.defaults[:middlewares] + [Excon::Middleware::RedirectFollower]
  limits = %i[connect_timeout read_timeout write_timeout].to_h { |name| [name, asked.timeout] }
  client = Excon.new(asked.url, middlewares: middlewares, **limits)
  lambda do |case_|
    fields = case_.fields.group_by(&:first).transform_values { |all| all.one? ? all[0][1] : all.map(&:last) }
    answer = client.request(method: case_.method, headers: fields.merge(case_.type_field.to_h), **content(case_))
    [answer.status, nil]
  end
end
