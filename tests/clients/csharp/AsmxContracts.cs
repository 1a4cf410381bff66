using System;
using System.Text;
using System.Web.Services.Protocols;
using Legacy;

/// The clients that wsdl.exe generates from the adopted WSDLs, each at the address in its own: program.exe VERSION. A
/// call names the contract.
static class AsmxContracts
{
    static readonly string User = Environment.GetEnvironmentVariable("USER_NAME");
    static readonly string Password = Environment.GetEnvironmentVariable("PASSWORD");

    static void Main(string[] args)
    {
        var version = args[0] == "soap12" ? SoapProtocolVersion.Soap12 : SoapProtocolVersion.Soap11;
        Outcome.PrintEach((contract, start, end) => Call(contract, version, start, end));
    }

    static byte[] Call(string contract, SoapProtocolVersion version, string start, string end)
    {
        switch (contract)
        {
            case "asmx":
                return new EdmScoreServiceSoap { SoapVersion = version }.getScoreFile(User, Password, start, end);
            case "bare":
                return new BareScoresSoap { SoapVersion = version }.FindScores(new ScoreRequestType
                {
                    Login = User,
                    Password = Password,
                    Begin = DateTime.Parse(start),
                    Until = DateTime.Parse(end)
                });
            case "rpc":
                return new RpcScoresSoap { SoapVersion = version }.listScores(User, Password, start, end);
            case "text":
                var text = new TextScoresSoap { SoapVersion = version }
                    .readScores(User, Password, DateTime.Parse(start), DateTime.Parse(end));
                return text == null ? null : Encoding.UTF8.GetBytes(text);
            case "nested":
                var file = new NestedScoresSoap { SoapVersion = version }.deliverScores(new ScoreRange
                {
                    StartTime = DateTime.Parse(start),
                    EndTime = DateTime.Parse(end),
                    Program = "TOEFL"
                });
                return file == null ? null : file.Content;
            default:
                throw new ArgumentException(contract);
        }
    }
}
