using System.Runtime.Serialization;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Xml.Schema;
using System.Xml.Serialization;

/// Proxies of the adopted WSDLs that Mono's svcutil cannot read, as Microsoft's svcutil writes them.
[ServiceContract(Namespace = "urn:example:bare")]
interface BareScoresPort
{
    [OperationContract(Action = "urn:example:bare:FindScores", ReplyAction = "*")]
    FindScoresResponse FindScores(FindScoresRequest request);
}

[MessageContract(IsWrapped = false)]
class FindScoresRequest
{
    [MessageBodyMember(Namespace = "urn:example:bare", Order = 0)]
    public ScoreRequestType ScoreRequest;
}

[MessageContract(IsWrapped = false)]
class FindScoresResponse
{
    [MessageBodyMember(Namespace = "urn:example:bare", Order = 0)]
    public byte[] ScoreFile;
}

[DataContract(Namespace = "urn:example:bare")]
public class ScoreRequestType
{
    [DataMember(IsRequired = true, Order = 0)] public string Login;
    [DataMember(IsRequired = true, Order = 1)] public string Password;
    [DataMember(IsRequired = true, Order = 2)] public System.DateTime Begin;
    [DataMember(IsRequired = true, Order = 3)] public System.DateTime Until;
}

class BareScoresPortClient : ClientBase<BareScoresPort>
{
    public BareScoresPortClient(Binding binding, EndpointAddress address) : base(binding, address) { }

    public byte[] FindScores(ScoreRequestType request)
    {
        return Channel.FindScores(new FindScoresRequest { ScoreRequest = request }).ScoreFile;
    }
}

[ServiceContract(Namespace = "urn:example:rpc")]
interface RpcScoresPort
{
    [OperationContract(Action = "", ReplyAction = "*")]
    [XmlSerializerFormat(Style = OperationFormatStyle.Rpc)]
    listScoresResponse listScores(listScoresRequest request);
}

[MessageContract(WrapperName = "listScores", WrapperNamespace = "urn:example:rpc", IsWrapped = true)]
class listScoresRequest
{
    [MessageBodyMember(Namespace = "", Order = 0)] public string clientId;
    [MessageBodyMember(Namespace = "", Order = 1)] public string password;
    [MessageBodyMember(Namespace = "", Order = 2)] public string startOfReports;
    [MessageBodyMember(Namespace = "", Order = 3)] public string endOfReports;
}

[MessageContract(WrapperName = "listScoresResponse", WrapperNamespace = "urn:example:rpc", IsWrapped = true)]
class listScoresResponse
{
    [MessageBodyMember(Namespace = "", Order = 0)] public byte[] @return;
}

class RpcScoresPortClient : ClientBase<RpcScoresPort>
{
    public RpcScoresPortClient(Binding binding, EndpointAddress address) : base(binding, address) { }

    public byte[] listScores(string clientId, string password, string startOfReports, string endOfReports)
    {
        return Channel.listScores(new listScoresRequest
        {
            clientId = clientId,
            password = password,
            startOfReports = startOfReports,
            endOfReports = endOfReports
        }).@return;
    }
}

/// The two classes that Mono's svcutil leaves out of its client.
[MessageContract(WrapperNamespace = "http://example.org/nested/service", IsWrapped = true)]
public class deliverScores
{
    [MessageBodyMember(Namespace = "", Order = 0)]
    [XmlElement(Form = XmlSchemaForm.Unqualified)]
    public ScoreRange range;
}

[MessageContract(WrapperNamespace = "http://example.org/nested/service", IsWrapped = true)]
public class deliverScoresResponse
{
    [MessageBodyMember(Namespace = "", Order = 0)]
    [XmlElement(Form = XmlSchemaForm.Unqualified)]
    public ScoreFile file;
}
