import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.util.HexFormat;

/** The vendor's REST sample in Java: the host is the argument, the authcode an environment variable. */
class Sample {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (String format : new String[] {"", "&format=json"}) {
            HttpRequest request = HttpRequest.newBuilder()
                .uri(URI.create(arguments[0] + "/scores?startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13"
                    + "&type=TOEFL&reportby=scorelinkbyreportdate" + format))
                .header("authcode", System.getenv("TOEFL_AUTHCODE"))
                .GET()
                .build();
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(response.body());
            System.out.println(response.statusCode() + " " + HexFormat.of().formatHex(digest));
        }
    }
}
