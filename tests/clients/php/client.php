<?php
// PHP's SoapClient: php client.php VERSION MODE makes the calls of the test, one in each line of standard input.
// MODE is wsdl, gzip or deflate (the same, with compressed requests), or plain (no WSDL: unqualified children with
// types).

require 'outcome.php';

[, $version, $mode] = $argv;

$options = [
    'soap_version' => $version === 'soap12' ? SOAP_1_2 : SOAP_1_1,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'location' => getenv('GATEWAY'),
];
$methods = ['gzip' => SOAP_COMPRESSION_GZIP, 'deflate' => SOAP_COMPRESSION_DEFLATE];
if (isset($methods[$mode])) {
    // Without a level, PHP compresses nothing.
    $options['compression'] = SOAP_COMPRESSION_ACCEPT | $methods[$mode] | 9;
}
$wsdl = getenv('WSDL') ?: getenv('GATEWAY') . ($version === 'soap12' ? '?wsdl&ports=all' : '?wsdl');
$client = $mode === 'plain'
    ? new SoapClient(null, $options + ['uri' => 'urn:example:of-its-own'])
    : new SoapClient($wsdl, $options);

function parameters(string $operation, string $start, string $end): array
{
    $credentials = ['userName' => getenv('USER_NAME'), 'password' => getenv('PASSWORD')];
    return match ($operation) {
        'GetScores' => ['request' => (object) [
            'StartDate' => $start, 'EndDate' => $end, 'Type' => 'TOEFL', 'ReportBy' => 'scorelinkbyreportdate',
        ]],
        'getScorelinkDataByReportDate' => $credentials + ['reportstartdate' => $start, 'reportenddate' => $end],
        'getScorelinkData', 'getEDIData' => $credentials + ['teststartdate' => $start, 'testenddate' => $end],
    };
}

function call_by_wsdl(SoapClient $client, string $operation, array $parameters): ?string
{
    return $client->$operation($parameters)->{$operation . 'Result'} ?? null;
}

function call_by_hand(SoapClient $client, string $operation, array $parameters): ?string
{
    $named = array_map(fn ($name) => new SoapParam($parameters[$name], $name), array_keys($parameters));
    $text = $client->__soapCall($operation, $named);
    return $text === null ? null : base64_decode($text, true);
}

print_each(function (string $operation, string $start, string $end) use ($client, $mode): ?string {
    $call = $mode === 'plain' ? 'call_by_hand' : 'call_by_wsdl';
    return $call($client, $operation, parameters($operation, $start, $end));
});
