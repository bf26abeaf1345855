// Embedded Jetty's ways to redirect: PORT ROOT, and whether it names itself.
import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.rewrite.handler.RedirectPatternRule;
import org.eclipse.jetty.rewrite.handler.RewriteHandler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.HandlerList;
import org.eclipse.jetty.servlet.DefaultServlet;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

public class JettyRedirects {
    public static class Moved extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            String status = request.getParameter("status");
            if (status == null) {
                response.sendRedirect("/app/here");
            } else {
                response.setStatus(Integer.parseInt(status));
                response.setHeader("Location", "/app/here");
            }
        }
    }

    public static void main(String[] told) throws Exception {
        HttpConfiguration settings = new HttpConfiguration();
        settings.setSendServerVersion(told[2].equals("named"));
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(settings));
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(told[0]));
        server.addConnector(connector);
        ServletContextHandler app = new ServletContextHandler(null, "/app");
        app.setResourceBase(told[1]);
        app.addServlet(Moved.class, "/moved");
        app.addServlet(new ServletHolder("files", DefaultServlet.class), "/");
        RewriteHandler rewriting = new RewriteHandler();
        RedirectPatternRule rule = new RedirectPatternRule("/old/*", "/app/here");
        rewriting.addRule(rule);
        server.setHandler(new HandlerList(rewriting, app));
        server.start();
        server.join();
    }
}
