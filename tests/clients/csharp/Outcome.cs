using System;
using System.Security.Cryptography;
using System.ServiceModel;
using System.Text;
using System.Web.Services.Protocols;

/// Makes the calls of the test, one in each line of standard input, and tells how each ended, in one line too.
static class Outcome
{
    public static void PrintEach(Func<string, string, string, byte[]> call)
    {
        string line;
        while ((line = Console.ReadLine()) != null)
        {
            var parts = line.Split(' ');
            Console.WriteLine(Of(() => call(parts[0], parts[1], parts[2])));
        }
    }

    static string Of(Func<byte[]> call)
    {
        try
        {
            return Of(call());
        }
        catch (FaultException fault)
        {
            return "fault " + fault.Message;
        }
        catch (SoapHeaderException fault)
        {
            // What System.Web.Services makes of a fault without a detail: one about headers (SOAP 1.1 §4.4), with a
            // null Detail, which a client that looks into it does not expect of a failed call.
            return "header-fault " + fault.Message;
        }
        catch (SoapException fault)
        {
            return "fault " + fault.Message;
        }
        catch (Exception failure)
        {
            return "failure " + failure.GetType().Name + " " + failure.Message.Split('\n')[0];
        }
    }

    static string Of(byte[] result)
    {
        if (result == null)
        {
            return "nothing";
        }
        // As the old service's clients know a failed log-on.
        var text = Encoding.UTF8.GetString(result);
        return text.StartsWith("Logon failure") ? "sentence " + text : "scores " + Sha256(result) + " " + result.Length;
    }

    static string Sha256(byte[] bytes)
    {
        using (var hash = SHA256.Create())
        {
            return BitConverter.ToString(hash.ComputeHash(bytes)).Replace("-", "").ToLowerInvariant();
        }
    }
}
