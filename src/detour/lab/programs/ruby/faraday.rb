# frozen_string_literal: true

# Faraday: with Net::HTTP, and FaradayMiddleware::FollowRedirects as it is of itself.

require_relative 'lab'
require 'faraday'
require 'faraday_middleware'

def content(asked)
  case asked.kind
  when 'none' then nil
  when 'form' then asked.form
  when 'multipart' then asked.parts.to_h { |part| [part.name, part(part)] }
  when 'file' then asked.opened
  when 'stream' then asked.piped
  when 'chunked' then StringIO.new(asked.octets)
  else asked.octets
  end
end

def part(part)
  part.filename.empty? ? part.text : Faraday::UploadIO.new(part.file, part.type, part.filename)
end

# Net::HTTP sends a stream only if it is told how long it is, or to cut it into chunks.
def own(asked)
  case asked.kind
  when 'multipart' then { 'Content-Type' => 'multipart/form-data' }
  when 'file' then { 'Content-Length' => asked.length.to_s }
  when 'stream', 'chunked' then { 'Transfer-Encoding' => 'chunked' }
  when 'expect' then { 'Expect' => '100-continue' }
  else {}
  end
end

Lab.run do |asked|
  client = Faraday.new(request: { timeout: asked.timeout }) do |faraday|
    faraday.request :multipart
    faraday.request :url_encoded
    faraday.use FaradayMiddleware::FollowRedirects
    faraday.adapter(:net_http) { |http| http.continue_timeout = 1 }
  end
  lambda do |case_|
    answer = client.run_request(case_.method.downcase.to_sym, case_.url, content(case_), case_.named(own(case_)))
    [answer.status, answer.env.url]
  end
end
