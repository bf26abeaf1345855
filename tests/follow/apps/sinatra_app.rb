# Sinatra's ways to redirect, on the port and the server it is given.
require "sinatra/base"

class Redirects < Sinatra::Base
  set :environment, :production
  %i[get post put].each do |method|
    send(method, "/moved") { params["status"] ? redirect("/here", params["status"].to_i) : redirect("/here") }
    send(method, "/to") { redirect to("/here"), 307 }
  end
end

Redirects.run!(port: ARGV[0].to_i, bind: "127.0.0.1", server: ARGV[1] || "webrick", quiet: true)
