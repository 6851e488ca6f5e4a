<?php
// 200 while the database answers, 503 otherwise.
declare(strict_types=1);

require __DIR__ . '/database.php';

header('Content-Type: text/plain');
header('Cache-Control: no-store');
try {
    connect_database()->query('SELECT 1');
    echo "ok\n";
} catch (PDOException $error) {
    error_log($error->getMessage());
    http_response_code(503);
    echo "the database does not answer\n";
}
