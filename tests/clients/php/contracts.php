<?php
// PHP's SoapClient with the adopted WSDLs, each at the address in its own: php contracts.php VERSION. A call names the
// contract.

require 'outcome.php';

function call(SoapClient $client, string $contract, string $start, string $end): ?string
{
    [$user, $password] = [getenv('USER_NAME'), getenv('PASSWORD')];
    return match ($contract) {
        'asmx' => $client->getScoreFile([
            'loginName' => $user, 'secretWord' => $password, 'fromDate' => $start, 'toDate' => $end,
        ])->getScoreFileResult ?? null,
        'bare' => $client->FindScores([
            'Login' => $user, 'Password' => $password, 'Begin' => $start, 'Until' => $end,
        ]),
        'rpc' => $client->listScores($user, $password, $start, $end),
        'text' => $client->readScores([
            'user' => $user, 'password' => $password, 'reportedSince' => $start, 'reportedUntil' => $end,
        ])->readScoresResult ?? null,
        'nested' => $client->deliverScores([
            'range' => ['StartTime' => $start, 'EndTime' => $end, 'Program' => 'TOEFL'],
        ])->file->Content ?? null,
    };
}

$options = ['soap_version' => $argv[1] === 'soap12' ? SOAP_1_2 : SOAP_1_1, 'cache_wsdl' => WSDL_CACHE_NONE];
$clients = [];
print_each(function (string $contract, string $start, string $end) use ($options, &$clients): ?string {
    $wsdl = getenv('GATEWAY') . "/$contract.wsdl";
    $clients[$contract] ??= new SoapClient($wsdl, $options);
    return call($clients[$contract], $contract, $start, $end);
});
