<%@ WebService Language="C#" Class="DateScores" %>
// The operations of DateScores.wsdl: one whose parameters are xs:date, and one whose parameters are xs:dateTime.

using System;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;
using System.Web.Services;
using System.Xml.Serialization;

[WebService(Namespace = "http://example.org/DateScores/")]
public class DateScores : WebService
{
    [WebMethod]
    public byte[] ByDay([XmlElement(DataType = "date")] DateTime startDate, [XmlElement(DataType = "date")] DateTime endDate)
    {
        return Answer("ByDay", Day("startDate", startDate), Day("endDate", endDate));
    }

    [WebMethod]
    public byte[] ByTime(DateTime startDate, DateTime endDate)
    {
        return Answer("ByTime", Time("startDate", startDate), Time("endDate", endDate));
    }

    // .NET makes a local time of a day with an offset, and so another day. The written day is what the client meant.
    string Day(string name, DateTime read)
    {
        var written = Written(name);
        DateTimeOffset day;
        if (written == null) return null;
        var isWhole = DateTimeOffset.TryParse(
            written.ToUpperInvariant(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out day);
        return isWhole ? day.ToString("o") : read.ToString("o");
    }

    string Time(string name, DateTime read)
    {
        return Written(name) == null ? null : read.ToString("o");
    }

    // The text of a parameter in the request; null for one that is not there.
    string Written(string name)
    {
        var stream = Context.Request.InputStream;
        stream.Position = 0;
        var found = Regex.Match(new StreamReader(stream).ReadToEnd(), "<(?:[\\w.-]+:)?" + name + "[^>]*>([^<]*)<");
        return found.Success ? found.Groups[1].Value : null;
    }

    static byte[] Answer(string operation, string start, string end)
    {
        var text = "operation=" + operation;
        if (start != null) text += "&start=" + Uri.EscapeDataString(start);
        if (end != null) text += "&end=" + Uri.EscapeDataString(end);
        return Encoding.UTF8.GetBytes(text);
    }
}
