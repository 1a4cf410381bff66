using System;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Text;

/// The clients that svcutil generates from the adopted WSDLs; Mono's leaves MicrosoftContracts.cs to be written by hand.
/// A call names the contract.
static class WcfContracts
{
    static readonly string User = Environment.GetEnvironmentVariable("USER_NAME");
    static readonly string Password = Environment.GetEnvironmentVariable("PASSWORD");

    static void Main()
    {
        Outcome.PrintEach(Call);
    }

    static byte[] Call(string contract, string start, string end)
    {
        var address = new EndpointAddress(Environment.GetEnvironmentVariable("GATEWAY") + "/" + contract);
        var binding = new BasicHttpBinding();
        switch (contract)
        {
            case "asmx":
                return new EdmScoreServiceSoapClient(binding, address).getScoreFile(User, Password, start, end);
            case "bare":
                return new BareScoresPortClient(binding, address).FindScores(new ScoreRequestType
                {
                    Login = User,
                    Password = Password,
                    Begin = DateTime.Parse(start),
                    Until = DateTime.Parse(end)
                });
            case "rpc":
                return new RpcScoresPortClient(binding, address).listScores(User, Password, start, end);
            case "nested":
                var range = new ScoreRange
                {
                    StartTime = DateTime.Parse(start),
                    EndTime = DateTime.Parse(end),
                    Program = "TOEFL"
                };
                var file = new NestedScoresPortClient(binding, address)
                    .deliverScores(new deliverScores { range = range }).file;
                return file == null ? null : file.Content;
            case "text":
                var text = new TextScoresSoapClient(binding, address).readScores(User, Password, start, end);
                return text == null ? null : Encoding.UTF8.GetBytes(text);
            default:
                throw new ArgumentException(contract);
        }
    }
}
