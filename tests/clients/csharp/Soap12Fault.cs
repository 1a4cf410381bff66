using System;
using System.Net;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Text;

[ServiceContract(Namespace = "https://ets.org/edm/webservices/")]
public interface IUnknownOperation
{
    [OperationContract(Action = "https://ets.org/edm/webservices/Unknown", ReplyAction = "*")]
    [XmlSerializerFormat]
    byte[] Unknown(string value);
}

/// WCF calls an operation that the service does not have, and prints what reaches the program of the fault.
/// Arguments: the address, 1.1 or 1.2, and whether the call expects a 100.
static class Soap12Fault
{
    static void Main(string[] arguments)
    {
        // Programs turn Expect off to be rid of 417 behind old proxies.
        ServicePointManager.Expect100Continue = bool.Parse(arguments[2]);
        var version = arguments[1] == "1.2" ? MessageVersion.Soap12 : MessageVersion.Soap11;
        var encoding = new TextMessageEncodingBindingElement(version, Encoding.UTF8);
        var binding = new CustomBinding(encoding, new HttpTransportBindingElement());
        var channel = new ChannelFactory<IUnknownOperation>(binding, new EndpointAddress(arguments[0])).CreateChannel();
        try
        {
            channel.Unknown("value");
            Console.WriteLine("result");
        }
        catch (FaultException fault)
        {
            Console.WriteLine("fault " + fault.Message);
        }
        catch (Exception failure)
        {
            Console.WriteLine("failure " + failure.GetType().Name + " " + failure.Message.Split('\n')[0]);
        }
    }
}
