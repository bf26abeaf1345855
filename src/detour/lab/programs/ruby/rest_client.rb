# frozen_string_literal: true

# rest-client: `RestClient::Request.execute`, redirects followed as it does of itself.

require_relative 'lab'
require 'rest-client'

def content(asked)
  case asked.kind
  when 'none' then nil
  when 'form' then asked.form
  when 'multipart' then asked.parts.to_h { |part| [part.name, part(part)] }
  when 'file' then asked.opened
  else asked.octets
  end
end

# A file's name and type are those of its path, unless it says otherwise.
def part(part)
  return part.text if part.filename.empty?

  File.open(part.file, 'rb').tap do |file|
    file.define_singleton_method(:original_filename) { part.filename }
    file.define_singleton_method(:content_type) { part.type }
  end
end

Lab.run do
  lambda do |asked|
    told = { method: asked.method.downcase.to_sym, url: asked.url, headers: asked.named, timeout: asked.timeout }
    answer = RestClient::Request.execute(payload: content(asked), **told)
    [answer.code, answer.request.url]
  rescue RestClient::ExceptionWithResponse => e # a status that is no success, a redirect it does not follow among them
    raise unless e.response

    [e.http_code, e.response.request.url]
  end
end
