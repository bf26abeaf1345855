# Rails' ways to redirect: routes, a controller, and force_ssl.
require "rails"
require "action_controller/railtie"

class Redirects < Rails::Application
  config.eager_load = false
  config.consider_all_requests_local = false
  config.secret_key_base = "of a test, and long enough for one"
  config.force_ssl = ENV["DETOUR_SECURE"] == "1"
  config.hosts.clear
  config.logger = Logger.new(nil)
end

class MovesController < ActionController::API
  def moved
    redirect_to "/here", status: (params[:status] || 302).to_i
  end
end

Redirects.initialize!
Rails.application.routes.draw do
  match "/moved" => "moves#moved", via: :all
  match "/table" => redirect("/here"), via: :all
  match "/kept" => redirect("/here", status: 307), via: :all
end
run Rails.application
