using System;
using System.Linq;
using System.Web.Services.Discovery;

/// Does what wsdl.exe and PowerShell's New-WebServiceProxy do first: discovers all documents from a bare address.
/// Prints the kind of each document.
static class Discovery
{
    static void Main(string[] arguments)
    {
        try
        {
            var client = new DiscoveryClientProtocol();
            client.DiscoverAny(arguments[0]);
            client.ResolveAll();
            var kinds = client.References.Values.Cast<object>().Select(reference => reference.GetType().Name);
            Console.WriteLine(string.Join(" ", kinds.Distinct().OrderBy(kind => kind, StringComparer.Ordinal)));
        }
        catch (Exception failure)
        {
            Console.WriteLine(failure.GetType().Name + " " + failure.Message.Split('\n')[0]);
        }
    }
}
