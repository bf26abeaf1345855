# frozen_string_literal: true

# What every program written in Ruby does: ask for a case, send it, tell the outcome, until there is none.
#
#   Lab.run { |asked| … }    # the block makes the client of one case: what it returns is called with the case
#
# Called, it returns the last status and the URL it came from (nil if the client does not say). What it raises
# is told as an error; `Lab::Unsupported` where the client has no means of its own for what is asked.

require 'json'
require 'net/http'
require 'stringio'
require 'timeout'
require 'uri'

module Lab
  class Unsupported < StandardError; end

  Part = Struct.new(:name, :filename, :type, :text, :file, keyword_init: true)

  # What is asked. `file` is the path of the octets, whatever the kind (but none).
  class Asked
    attr_reader :token, :method, :url, :fields, :kind, :type, :length, :pairs, :parts, :file, :api, :times, :timeout

    def initialize(told)
      content = told['content']
      @token, @method, @url, @fields = told.values_at('token', 'method', 'url', 'fields')
      @api, @times, @timeout = told.values_at('api', 'times', 'timeout')
      @kind, @type, @length, @file = content.values_at('kind', 'type', 'length', 'file')
      @pairs = content['pairs'] || []
      @parts = (content['parts'] || []).map do |part|
        Part.new(**part.slice('name', 'filename', 'type', 'text', 'file').transform_keys(&:to_sym))
      end
    end

    # The content in memory.
    def octets
      File.binread(file)
    end

    # The content as an open file.
    def opened
      File.open(file, 'rb')
    end

    # The content as a pipe: it can be read once, and nobody knows how long it is.
    def piped
      IO.popen(['cat', file], 'rb')
    end

    # The content as something that can be read, and nothing else.
    def readable
      opened.method(:read).then { |read| Object.new.tap { |one| one.define_singleton_method(:read, &read) } }
    end

    # The pairs of a form.
    def form
      pairs.to_h
    end

    # Fields by name, with `type_field` and `own`.
    def named(own = {})
      raise Unsupported, 'takes each field name once' if fields.uniq { |name, _| name.downcase }.size < fields.size

      fields.to_h.merge(type_field.to_h, own)
    end

    # The Content-Type of content whose type the client does not know itself.
    def type_field
      %w[none empty multipart].include?(kind) || type.empty? ? [] : [['Content-Type', type]]
    end

    def unknown
      Unsupported.new("knows no content of kind #{kind}")
    end
  end

  BASE = URI(ENV.fetch('DETOUR_LAB'))
  CLIENT = URI.encode_www_form(client: ENV.fetch('DETOUR_LAB_CLIENT'))

  GRACE = 0.5

  module_function

  # Every case, each with a client of its own.
  def run(apis: ['http'], &open)
    Net::HTTP.start(BASE.host, BASE.port) do |lab|
      while (told = ask(lab, Net::HTTP::Get.new("#{BASE.path}/next?#{CLIENT}")))
        asked = Asked.new(JSON.parse(told))
        outcome = Net::HTTP::Post.new("#{BASE.path}/outcome/#{asked.token}")
        outcome.body = JSON.generate(said(asked, apis, open))
        ask(lab, outcome)
      end
    end
  end

  def said(asked, apis, open)
    raise Unsupported, "has no #{asked.api}" unless apis.include?(asked.api)

    client = open.call(asked)
    status, url = in_time(asked) { Array.new(asked.times) { client.call(asked) }.last }
    { status: status, url: url.to_s.scrub }
  rescue Unsupported => e
    { unsupported: e.message }
  rescue StandardError, Timeout::Error => e # what a client raises is what is asked
    { error: "#{e.class}: #{e.message.to_s.dup.force_encoding('UTF-8').scrub}" }
  end

  # A client that tries again when its own limit of time is over has this one.
  def in_time(asked, &sending)
    Timeout.timeout((asked.times * asked.timeout) + GRACE, &sending)
  end

  def ask(lab, request)
    answer = lab.request(request)
    raise "#{request.path}: #{answer.code} #{answer.body}" unless %w[200 204 404].include?(answer.code)

    answer.body
  end
end
