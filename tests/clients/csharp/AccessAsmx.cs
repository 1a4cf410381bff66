using System;
using System.Net;
using Legacy;

/// The client that wsdl.exe generates, with a NetworkCredential: program.exe challenge (sent once it is asked for),
/// preauthenticate, or none.
static class AccessAsmx
{
    static void Main(string[] args)
    {
        var client = new TOEFLEdm { Url = Environment.GetEnvironmentVariable("GATEWAY") };
        if (args[0] != "none")
        {
            client.Credentials = new NetworkCredential(
                Environment.GetEnvironmentVariable("LOGON_USER"),
                Environment.GetEnvironmentVariable("LOGON_PASSWORD"));
            client.PreAuthenticate = args[0] == "preauthenticate";
        }
        Outcome.PrintEach((operation, start, end) => client.GetScores(new GetScoresRequest
        {
            StartDate = DateTime.Parse(start),
            EndDate = DateTime.Parse(end),
            Type = "TOEFL",
            ReportBy = "scorelinkbyreportdate"
        }));
    }
}
