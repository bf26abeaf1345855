# frozen_string_literal: true

# Net::HTTP: one request, nothing followed.

require_relative 'lab'

def content(request, asked)
  case asked.kind
  when 'none' then nil
  when 'form' then request.set_form(asked.pairs)
  when 'multipart' then request.set_form(asked.parts.map { |part| part(part) }, 'multipart/form-data')
  when 'empty', 'json', 'large', 'expect' then request.body = asked.octets
  when 'file' then sized(request, asked.opened)
  when 'stream' then chunked(request, asked.piped)
  when 'chunked' then chunked(request, StringIO.new(asked.octets))
  end
  request['Expect'] = '100-continue' if asked.kind == 'expect'
end

def part(part)
  return [part.name, part.text] if part.filename.empty?

  [part.name, File.open(part.file, 'rb'), { filename: part.filename, content_type: part.type }]
end

def sized(request, file)
  request.body_stream = file
  request.content_length = file.size
end

def chunked(request, stream)
  request.body_stream = stream
  request['Transfer-Encoding'] = 'chunked'
end

Lab.run do
  lambda do |asked|
    url = URI(asked.url)
    request = Net::HTTPGenericRequest.new(asked.method, asked.kind != 'none', asked.method != 'HEAD', url)
    [*asked.fields, *asked.type_field].each { |name, value| request.add_field(name, value) }
    content(request, asked)
    limits = { open_timeout: asked.timeout, read_timeout: asked.timeout, continue_timeout: 1 }
    answer = Net::HTTP.start(url.host, url.port, use_ssl: url.scheme == 'https', **limits) do |http|
      http.request(request)
    end
    [answer.code.to_i, url]
  end
end
