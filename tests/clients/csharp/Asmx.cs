using System;
using System.Web.Services.Protocols;
using Legacy;

/// The client that wsdl.exe generates: program.exe VERSION.
static class Program
{
    static void Main(string[] args)
    {
        Outcome.PrintEach((operation, start, end) => Call(args[0], operation, start, end));
    }

    static byte[] Call(string version, string operation, string start, string end)
    {
        var client = new TOEFLEdm
        {
            Url = Environment.GetEnvironmentVariable("GATEWAY"),
            SoapVersion = version == "soap12" ? SoapProtocolVersion.Soap12 : SoapProtocolVersion.Soap11
        };
        var user = Environment.GetEnvironmentVariable("USER_NAME");
        var password = Environment.GetEnvironmentVariable("PASSWORD");
        switch (operation)
        {
            case "GetScores":
                return client.GetScores(new GetScoresRequest
                {
                    StartDate = DateTime.Parse(start),
                    EndDate = DateTime.Parse(end),
                    Type = "TOEFL",
                    ReportBy = "scorelinkbyreportdate"
                });
            case "getScorelinkDataByReportDate":
                return client.getScorelinkDataByReportDate(user, password, start, end);
            case "getScorelinkData":
                return client.getScorelinkData(user, password, start, end);
            case "getEDIData":
                return client.getEDIData(user, password, start, end);
            default:
                throw new ArgumentException(operation);
        }
    }
}
