# frozen_string_literal: true

# open-uri: `URI.open`, which only gets; redirects followed as it does of itself.

require_relative 'lab'
require 'open-uri'

Lab.run do
  lambda do |asked|
    raise asked.unknown unless asked.kind == 'none'

    limits = { open_timeout: asked.timeout, read_timeout: asked.timeout }
    URI.parse(asked.url).open(asked.named.merge(limits)) { |answer| [answer.status[0].to_i, answer.base_uri] }
  rescue OpenURI::HTTPError => e # a status that is no success, a redirect it does not follow among them
    raise if e.message.start_with?('redirection forbidden', 'Too many', 'HTTP redirection loop')

    [e.io.status[0].to_i, e.io.base_uri]
  end
end
