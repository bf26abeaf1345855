# frozen_string_literal: true

# Typhoeus: `followlocation: true`.

require_relative 'lab'
require 'typhoeus'

def content(asked)
  case asked.kind
  when 'none' then {}
  when 'form' then { body: asked.form }
  when 'multipart' then { body: asked.parts.to_h { |part| [part.name, part(part)] } }
  else { body: asked.octets }
  end
end

# A file's name and type are those of its path.
def part(part)
  part.filename.empty? ? part.text : File.open(part.file, 'rb')
end

def own(asked)
  case asked.kind
  when 'chunked' then { 'Transfer-Encoding' => 'chunked' }
  when 'expect' then { 'Expect' => '100-continue' }
  else {}
  end
end

Lab.run do
  lambda do |asked|
    raise Lab::Unsupported, 'a PUT sends the paths of files' if asked.method == 'PUT' && asked.kind == 'multipart'

    limits = { timeout_ms: (asked.timeout * 1000).to_i, cainfo: ENV.fetch('DETOUR_LAB_CA') }
    told = { method: asked.method.downcase.to_sym, headers: asked.named(own(asked)), followlocation: true }
    answer = Typhoeus::Request.new(asked.url, **told, **limits, **content(asked)).run
    raise "#{answer.return_code}: #{answer.return_message}" unless answer.return_code == :ok

    [answer.code, answer.effective_url]
  end
end
