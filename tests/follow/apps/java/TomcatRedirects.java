// Embedded Tomcat's ways to redirect: PORT FOLDER ROOT.
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.SecurityCollection;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;

public class TomcatRedirects {
    static class Moved extends HttpServlet {
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
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(told[1]);
        Connector connector = new Connector();
        connector.setPort(Integer.parseInt(told[0]));
        connector.setProperty("address", "127.0.0.1");
        connector.setRedirectPort(443);
        connector.setParseBodyMethods("POST,PUT");
        tomcat.setConnector(connector);
        Context app = tomcat.addContext("/app", new File(told[2]).getAbsolutePath());
        Tomcat.addServlet(app, "moved", new Moved());
        app.addServletMappingDecoded("/moved", "moved");
        app.addServletMappingDecoded("/private", "moved");
        Tomcat.addServlet(app, "files", "org.apache.catalina.servlets.DefaultServlet");
        app.addServletMappingDecoded("/", "files");
        SecurityCollection collection = new SecurityCollection();
        collection.addPattern("/private");
        SecurityConstraint constraint = new SecurityConstraint();
        constraint.addCollection(collection);
        constraint.setUserConstraint("CONFIDENTIAL");
        app.addConstraint(constraint);
        tomcat.start();
        tomcat.getServer().await();
    }
}
