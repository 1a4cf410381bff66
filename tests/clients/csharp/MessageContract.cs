using System.Runtime.Serialization;
using System.ServiceModel;
using System.ServiceModel.Channels;
using ets.org.edm.webservices;

/// A proxy as Microsoft's svcutil writes it: message contracts, a body class for each wrapper, ReplyAction="*".
namespace MessageContracts
{
    [ServiceContract(Namespace = "https://ets.org/edm/webservices/", ConfigurationName = "MessageContracts.TOEFLEdmSoap")]
    interface TOEFLEdmSoap
    {
        [OperationContract(Action = "https://ets.org/edm/webservices/GetScores", ReplyAction = "*")]
        GetScoresResponse1 GetScores(GetScoresRequest1 request);

        [OperationContract(Action = "https://ets.org/edm/webservices/getScorelinkDataByReportDate", ReplyAction = "*")]
        getScorelinkDataByReportDateResponse1 getScorelinkDataByReportDate(getScorelinkDataByReportDateRequest request);

        [OperationContract(Action = "https://ets.org/edm/webservices/getScorelinkData", ReplyAction = "*")]
        getScorelinkDataResponse1 getScorelinkData(getScorelinkDataRequest request);

        [OperationContract(Action = "https://ets.org/edm/webservices/getEDIData", ReplyAction = "*")]
        getEDIDataResponse1 getEDIData(getEDIDataRequest request);
    }

    [MessageContract(IsWrapped = false)]
    class GetScoresRequest1
    {
        [MessageBodyMember(Name = "GetScores", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public GetScoresRequestBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class GetScoresRequestBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public GetScoresRequest request;
    }

    [MessageContract(IsWrapped = false)]
    class GetScoresResponse1
    {
        [MessageBodyMember(Name = "GetScoresResponse", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public GetScoresResponseBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class GetScoresResponseBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public byte[] GetScoresResult;
    }

    [MessageContract(IsWrapped = false)]
    class getScorelinkDataByReportDateRequest
    {
        [MessageBodyMember(Name = "getScorelinkDataByReportDate", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public getScorelinkDataByReportDateRequestBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class getScorelinkDataByReportDateRequestBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public string userName;

        [DataMember(EmitDefaultValue = false, Order = 1)]
        public string password;

        [DataMember(EmitDefaultValue = false, Order = 2)]
        public string reportstartdate;

        [DataMember(EmitDefaultValue = false, Order = 3)]
        public string reportenddate;
    }

    [MessageContract(IsWrapped = false)]
    class getScorelinkDataByReportDateResponse1
    {
        [MessageBodyMember(Name = "getScorelinkDataByReportDateResponse", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public getScorelinkDataByReportDateResponseBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class getScorelinkDataByReportDateResponseBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public byte[] getScorelinkDataByReportDateResult;
    }

    [MessageContract(IsWrapped = false)]
    class getScorelinkDataRequest
    {
        [MessageBodyMember(Name = "getScorelinkData", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public getScorelinkDataRequestBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class getScorelinkDataRequestBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public string userName;

        [DataMember(EmitDefaultValue = false, Order = 1)]
        public string password;

        [DataMember(EmitDefaultValue = false, Order = 2)]
        public string teststartdate;

        [DataMember(EmitDefaultValue = false, Order = 3)]
        public string testenddate;
    }

    [MessageContract(IsWrapped = false)]
    class getScorelinkDataResponse1
    {
        [MessageBodyMember(Name = "getScorelinkDataResponse", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public getScorelinkDataResponseBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class getScorelinkDataResponseBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public byte[] getScorelinkDataResult;
    }

    [MessageContract(IsWrapped = false)]
    class getEDIDataRequest
    {
        [MessageBodyMember(Name = "getEDIData", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public getEDIDataRequestBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class getEDIDataRequestBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public string userName;

        [DataMember(EmitDefaultValue = false, Order = 1)]
        public string password;

        [DataMember(EmitDefaultValue = false, Order = 2)]
        public string teststartdate;

        [DataMember(EmitDefaultValue = false, Order = 3)]
        public string testenddate;
    }

    [MessageContract(IsWrapped = false)]
    class getEDIDataResponse1
    {
        [MessageBodyMember(Name = "getEDIDataResponse", Namespace = "https://ets.org/edm/webservices/", Order = 0)]
        public getEDIDataResponseBody Body;
    }

    [DataContract(Namespace = "https://ets.org/edm/webservices/")]
    class getEDIDataResponseBody
    {
        [DataMember(EmitDefaultValue = false, Order = 0)]
        public byte[] getEDIDataResult;
    }

    /// With the methods of the other svcutil's client, as Microsoft's has them too.
    class TOEFLEdmSoapClient : ClientBase<TOEFLEdmSoap>, global::TOEFLEdmSoap
    {
        public TOEFLEdmSoapClient(Binding binding, EndpointAddress address) : base(binding, address) { }

        public byte[] GetScores(GetScoresRequest request)
        {
            var body = new GetScoresRequestBody { request = request };
            return Channel.GetScores(new GetScoresRequest1 { Body = body }).Body.GetScoresResult;
        }

        public byte[] getScorelinkDataByReportDate(
            string userName, string password, string reportstartdate, string reportenddate)
        {
            var body = new getScorelinkDataByReportDateRequestBody
            {
                userName = userName,
                password = password,
                reportstartdate = reportstartdate,
                reportenddate = reportenddate
            };
            var request = new getScorelinkDataByReportDateRequest { Body = body };
            return Channel.getScorelinkDataByReportDate(request).Body.getScorelinkDataByReportDateResult;
        }

        public byte[] getScorelinkData(string userName, string password, string teststartdate, string testenddate)
        {
            var body = new getScorelinkDataRequestBody
            {
                userName = userName,
                password = password,
                teststartdate = teststartdate,
                testenddate = testenddate
            };
            return Channel.getScorelinkData(new getScorelinkDataRequest { Body = body }).Body.getScorelinkDataResult;
        }

        public byte[] getEDIData(string userName, string password, string teststartdate, string testenddate)
        {
            var body = new getEDIDataRequestBody
            {
                userName = userName,
                password = password,
                teststartdate = teststartdate,
                testenddate = testenddate
            };
            return Channel.getEDIData(new getEDIDataRequest { Body = body }).Body.getEDIDataResult;
        }
    }
}
