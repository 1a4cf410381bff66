<?php
// A call that is written by hand with PHP's streams, and with the headers that published programs set.
const NAMESPACE_URI = 'https://ets.org/edm/webservices/';
$envelope = '<?xml version="1.0" encoding="UTF-8"?>'
    . '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    . '<GetScores xmlns="' . NAMESPACE_URI . '"><request>'
    . '<StartDate>2025-04-21T16:45:03</StartDate><EndDate>2025-04-22T16:52:13</EndDate>'
    . '<Type>TOEFL</Type><ReportBy>scorelinkbyreportdate</ReportBy>'
    . '</request></GetScores></soap:Body></soap:Envelope>';
$headers = [
    'Content-Type: text/xml; charset=UTF-8',
    'Content-Encoding: UTF-8',
    'Content-Length: ' . strlen($envelope),
    'SOAPAction: "' . NAMESPACE_URI . 'GetScores"',
    'Connection: close',
];
$options = ['method' => 'POST', 'ignore_errors' => true, 'header' => $headers, 'content' => $envelope];
$answer = file_get_contents(getenv('GATEWAY'), false, stream_context_create(['http' => $options]));
$parts = preg_split('/<\/?(GetScoresResult|faultstring)>/', $answer);
$status = explode(' ', $http_response_header[0])[1];
echo $status, ' ', trim($status === '200' ? base64_decode($parts[1]) : $parts[1]), "\n";
