using System;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Xml;
using ets.org.edm.webservices;

/// WCF with proof of who it is: program.exe basic, token (a UsernameToken added by hand), or none. One that WCF adds by
/// itself (TransportWithMessageCredential) is not implemented in Mono.
static class AccessWcf
{
    const string Wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    const string Text = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

    static void Main(string[] args)
    {
        Outcome.PrintEach((operation, start, end) => Call(args[0], start, end));
    }

    static byte[] Call(string mode, string start, string end)
    {
        var user = Environment.GetEnvironmentVariable("LOGON_USER");
        var password = Environment.GetEnvironmentVariable("LOGON_PASSWORD");
        var address = new EndpointAddress(Environment.GetEnvironmentVariable("GATEWAY"));
        var client = new TOEFLEdmSoapClient(BindingOf(mode), address);
        client.ClientCredentials.UserName.UserName = user;
        client.ClientCredentials.UserName.Password = password;
        var request = new GetScoresRequest
        {
            StartDate = DateTime.Parse(start),
            EndDate = DateTime.Parse(end),
            Type = "TOEFL",
            ReportBy = "scorelinkbyreportdate"
        };
        if (mode != "token")
        {
            return client.GetScores(request);
        }
        using (new OperationContextScope(client.InnerChannel))
        {
            OperationContext.Current.OutgoingMessageHeaders.Add(new UsernameToken(user, password));
            return client.GetScores(request);
        }
    }

    static BasicHttpBinding BindingOf(string mode)
    {
        var binding = new BasicHttpBinding { MaxReceivedMessageSize = 32 * 1024 * 1024 };
        if (mode == "basic")
        {
            binding.Security.Mode = BasicHttpSecurityMode.TransportCredentialOnly;
            binding.Security.Transport.ClientCredentialType = HttpClientCredentialType.Basic;
        }
        return binding;
    }

    class UsernameToken : MessageHeader
    {
        readonly string user;
        readonly string password;

        public UsernameToken(string user, string password)
        {
            this.user = user;
            this.password = password;
        }

        public override string Name { get { return "Security"; } }

        public override string Namespace { get { return Wsse; } }

        public override bool MustUnderstand { get { return true; } }

        protected override void OnWriteHeaderContents(XmlDictionaryWriter writer, MessageVersion version)
        {
            writer.WriteStartElement("UsernameToken", Wsse);
            writer.WriteElementString("Username", Wsse, user);
            writer.WriteStartElement("Password", Wsse);
            writer.WriteAttributeString("Type", Text);
            writer.WriteString(password);
            writer.WriteEndElement();
            writer.WriteEndElement();
        }
    }
}
