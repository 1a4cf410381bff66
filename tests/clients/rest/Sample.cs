using System;
using System.Net.Http;
using System.Security.Cryptography;

/// The vendor's REST sample in C#: the host is the argument, the authcode an environment variable.
static class Sample
{
    static void Main(string[] arguments)
    {
        using (var client = new HttpClient())
        {
            client.DefaultRequestHeaders.Add("authcode", Environment.GetEnvironmentVariable("TOEFL_AUTHCODE"));
            foreach (var format in new[] { "", "&format=json" })
            {
                var response = client.GetAsync(arguments[0]
                    + "/scores?startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13"
                    + "&type=TOEFL&reportby=scorelinkbyreportdate" + format).Result;
                var body = response.Content.ReadAsByteArrayAsync().Result;
                var digest = BitConverter.ToString(SHA256.Create().ComputeHash(body)).Replace("-", "").ToLower();
                Console.WriteLine("{0} {1}", (int)response.StatusCode, digest);
            }
        }
    }
}
