import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** A call that is written by hand with java.net. Arguments: the address, and the value of Content-Encoding. */
public class HandWritten {
    private static final String NAMESPACE = "https://ets.org/edm/webservices/";
    private static final String OPERATION = "getScorelinkDataByReportDate";
    private static final String ENVELOPE = """
            <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:web="%s">
              <soapenv:Header/>
              <soapenv:Body>
                <web:%s>
                  <web:userName>user</web:userName>
                  <web:password>secret</web:password>
                  <web:reportstartdate>04/21/2025</web:reportstartdate>
                  <web:reportenddate>04/22/2025</web:reportenddate>
                </web:%s>
              </soapenv:Body>
            </soapenv:Envelope>
            """.formatted(NAMESPACE, OPERATION, OPERATION);

    public static void main(String[] arguments) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(arguments[0]).openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "text/xml");
        connection.setRequestProperty("Content-Encoding", arguments[1]);
        connection.setRequestProperty("SOAPAction", "\"" + NAMESPACE + OPERATION + "\"");
        connection.getOutputStream().write(ENVELOPE.getBytes(StandardCharsets.UTF_8));
        int status = connection.getResponseCode();
        try (InputStream stream = status == 200 ? connection.getInputStream() : connection.getErrorStream()) {
            String answer = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            String[] parts = answer.split("</?(" + OPERATION + "Result|faultstring)>");
            String told = status == 200 ? new String(Base64.getDecoder().decode(parts[1])) : parts[1];
            System.out.println(status + " " + told.strip());
        }
    }
}
