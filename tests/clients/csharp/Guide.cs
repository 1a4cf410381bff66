using System;
using ets.org.edm.webservices;

/// The legacy client of the vendor's update guide, to the letter; the endpoint comes from App.config.
static class Guide
{
    public static byte[] GetScores()
    {
// Old SOAP client code
var client = new TOEFLEdmSoapClient();
var request = new GetScoresRequest
{
StartDate = DateTime.Parse("2025-04-21T16:45:03"),
EndDate = DateTime.Parse("2025-04-22T16:52:13"),
Type = "TOEFL",
ReportBy = "scorelinkbyreportdate"
};
var response = client.GetScores(request);
        return response;
    }
}
