using System;
using System.Collections.Generic;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Text;
using ets.org.edm.webservices;

/// Clients of WCF: program.exe guide (its sample, whatever the call), or program.exe CONTRACT BINDING, where CONTRACT is
/// svcutil or message-contract.
static class Wcf
{
    static readonly Encoding BigEndian = new UnicodeEncoding(bigEndian: true, byteOrderMark: true);
    static readonly MessageVersion Soap11Addressing =
        MessageVersion.CreateVersion(EnvelopeVersion.Soap11, AddressingVersion.WSAddressing10);
    static readonly MessageVersion Soap12 =
        MessageVersion.CreateVersion(EnvelopeVersion.Soap12, AddressingVersion.None);

    static readonly Dictionary<string, Func<Binding>> Bindings = new Dictionary<string, Func<Binding>>
    {
        { "soap11", () => Basic() },
        { "soap11-utf16", () => Text(MessageVersion.Soap11, Encoding.Unicode) },
        { "soap11-utf16be", () => Text(MessageVersion.Soap11, BigEndian) },
        { "soap11-addressing", () => Text(Soap11Addressing, Encoding.UTF8) },
        { "soap12", () => Text(Soap12, Encoding.UTF8) },
        { "soap12-utf16", () => Text(Soap12, Encoding.Unicode) },
        { "soap12-utf16be", () => Text(Soap12, BigEndian) },
        { "soap12-addressing", () => Text(MessageVersion.Soap12WSAddressing10, Encoding.UTF8) },
        { "soap12-addressing-2004", () => Text(MessageVersion.Soap12WSAddressingAugust2004, Encoding.UTF8) },
    };
    // Bytes; the default is 64 KiB.
    const int Largest = 32 * 1024 * 1024;

    static void Main(string[] args)
    {
        if (args[0] == "guide")
        {
            Outcome.PrintEach((operation, start, end) => Guide.GetScores());
        }
        else
        {
            Outcome.PrintEach((operation, start, end) => Call(args[0], Bindings[args[1]](), operation, start, end));
        }
    }

    static byte[] Call(string contract, Binding binding, string operation, string start, string end)
    {
        var address = new EndpointAddress(Environment.GetEnvironmentVariable("GATEWAY"));
        var client = contract == "svcutil"
            ? (TOEFLEdmSoap) new TOEFLEdmSoapClient(binding, address)
            : new MessageContracts.TOEFLEdmSoapClient(binding, address);
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

    static Binding Basic()
    {
        var binding = new BasicHttpBinding { MaxReceivedMessageSize = Largest };
        binding.Security.Mode = IsSecure ? BasicHttpSecurityMode.Transport : BasicHttpSecurityMode.None;
        return binding;
    }

    static Binding Text(MessageVersion version, Encoding encoding)
    {
        var transport = IsSecure ? new HttpsTransportBindingElement() : new HttpTransportBindingElement();
        transport.MaxReceivedMessageSize = Largest;
        return new CustomBinding(new TextMessageEncodingBindingElement(version, encoding), transport);
    }

    static bool IsSecure { get { return Environment.GetEnvironmentVariable("GATEWAY").StartsWith("https:"); } }
}
