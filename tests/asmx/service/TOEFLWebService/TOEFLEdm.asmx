<%@ WebService Language="C#" Class="TOEFLEdm" %>
// The old service with the names of the shipped contract. Its results are not scores but the parameters that it
// understood, as a query string.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Web.Services;
using System.Xml.Serialization;

public class GetScoresRequest
{
    public DateTime StartDate;
    [XmlIgnore] public bool StartDateSpecified;
    public DateTime EndDate;
    [XmlIgnore] public bool EndDateSpecified;
    public string Type;
    public string ReportBy;
}

[WebService(Namespace = "https://ets.org/edm/webservices/")]
public class TOEFLEdm : WebService
{
    static readonly CultureInfo American = CultureInfo.GetCultureInfo("en-US");

    [WebMethod]
    public byte[] GetScores(GetScoresRequest request)
    {
        var sent = request ?? new GetScoresRequest();
        return Answer(
            sent.Type,
            "operation", "GetScores",
            "start", sent.StartDateSpecified ? sent.StartDate.ToString("o") : null,
            "end", sent.EndDateSpecified ? sent.EndDate.ToString("o") : null,
            "type", sent.Type,
            "reportby", sent.ReportBy);
    }

    [WebMethod]
    public byte[] getScorelinkDataByReportDate(string userName, string password, string reportstartdate, string reportenddate)
    {
        return OfDays("getScorelinkDataByReportDate", userName, reportstartdate, reportenddate);
    }

    [WebMethod]
    public byte[] getScorelinkData(string userName, string password, string teststartdate, string testenddate)
    {
        return OfDays("getScorelinkData", userName, teststartdate, testenddate);
    }

    [WebMethod]
    public byte[] getEDIData(string userName, string password, string teststartdate, string testenddate)
    {
        return OfDays("getEDIData", userName, teststartdate, testenddate);
    }

    static byte[] OfDays(string operation, string userName, string start, string end)
    {
        return Answer(
            userName, "operation", operation, "userName", userName, "start", Moment(start), "end", Moment(end));
    }

    // DateTime.Parse decides what is a date, as in most .NET programs. DateTimeOffset keeps the clock and the offset as
    // the client wrote them.
    static string Moment(string text)
    {
        var read = DateTime.Parse(text, American, DateTimeStyles.NoCurrentDateDefault);
        DateTimeOffset written;
        var isWhole = DateTimeOffset.TryParse(text, American, DateTimeStyles.AssumeUniversal, out written);
        return isWhole && read.Year > 1 ? written.ToString("o") : read.ToString("o");
    }

    // The Type, or the user name, can ask for a fault, a null result or an empty one.
    static byte[] Answer(string told, params string[] namesAndValues)
    {
        if (told == "FAULT") throw new InvalidOperationException("The service was told to fail.");
        if (told == "NULL") return null;
        if (told == "EMPTY") return new byte[0];
        var parts = new List<string>();
        for (var at = 0; at < namesAndValues.Length; at += 2)
        {
            if (namesAndValues[at + 1] != null)
                parts.Add(namesAndValues[at] + "=" + Uri.EscapeDataString(namesAndValues[at + 1]));
        }
        return Encoding.UTF8.GetBytes(string.Join("&", parts));
    }
}
