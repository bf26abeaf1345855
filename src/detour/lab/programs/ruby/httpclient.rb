# frozen_string_literal: true

# httpclient: `follow_redirect: true`.

require_relative 'lab'
require 'httpclient'

def content(asked)
  case asked.kind
  when 'none' then nil
  when 'form' then asked.pairs
  when 'multipart' then asked.parts.map { |part| part(part) }
  when 'file' then asked.opened
  when 'stream' then asked.readable
  else asked.octets
  end
end

def part(part)
  disposition = "form-data; name=\"#{part.name}\""
  return { 'Content-Disposition' => disposition, content: part.text } if part.filename.empty?

  file = { 'Content-Disposition' => "#{disposition}; filename=\"#{part.filename}\"", 'Content-Type' => part.type }
  { **file, content: File.open(part.file, 'rb') }
end

def fields(asked)
  return asked.fields + [['Content-Type', 'multipart/form-data']] if asked.kind == 'multipart'

  asked.fields + asked.type_field
end

Lab.run do |asked|
  client = HTTPClient.new
  client.ssl_config.add_trust_ca(ENV.fetch('DETOUR_LAB_CA'))
  client.connect_timeout = client.send_timeout = client.receive_timeout = asked.timeout
  lambda do |case_|
    told = { body: content(case_), header: fields(case_), follow_redirect: true }
    answer = client.request(case_.method, case_.url, **told)
    [answer.status, answer.header.request_uri]
  end
end
