using System;
using System.Web.Services;
using System.Web.Services.Protocols;

[WebServiceBinding(Name = "TOEFLEdmSoap", Namespace = "https://ets.org/edm/webservices/")]
public class Service : SoapHttpClientProtocol
{
    [SoapDocumentMethod("https://ets.org/edm/webservices/GetScores",
        RequestNamespace = "https://ets.org/edm/webservices/",
        ResponseNamespace = "https://ets.org/edm/webservices/")]
    public byte[] GetScores()
    {
        return (byte[])Invoke("GetScores", new object[0])[0];
    }
}

/// A client that wsdl.exe generated calls an address behind which no gateway answers, and prints what it is told.
/// Arguments: the address, and 1.1 or 1.2.
static class ProxyFault
{
    static void Main(string[] arguments)
    {
        var version = arguments[1] == "1.2" ? SoapProtocolVersion.Soap12 : SoapProtocolVersion.Soap11;
        try
        {
            new Service { Url = arguments[0], SoapVersion = version }.GetScores();
            Console.WriteLine("result");
        }
        catch (Exception failure)
        {
            Console.WriteLine(failure.GetType().Name + " " + failure.Message.Split('\n')[0]);
        }
    }
}
