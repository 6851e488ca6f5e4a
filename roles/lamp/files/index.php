<?php
// The page of a LAMP pod that has no content of its own yet.
declare(strict_types=1);

require '/srv/health/database.php';

try {
    $database = connect_database();
    $database->exec('INSERT INTO visits (page, visits) VALUES ("/", 1) ON DUPLICATE KEY UPDATE visits = visits + 1');
    $visits = (int) $database->query('SELECT visits FROM visits WHERE page = "/"')->fetchColumn();
    $facts = [
        'Server' => $_SERVER['SERVER_SOFTWARE'],
        'PHP' => PHP_VERSION,
        'Database' => 'MariaDB ' . $database->query('SELECT VERSION()')->fetchColumn(),
        'Visits' => (string) $visits,
    ];
} catch (PDOException $error) {
    error_log($error->getMessage());
    http_response_code(503);
    $facts = ['Server' => $_SERVER['SERVER_SOFTWARE'], 'PHP' => PHP_VERSION, 'Database' => 'does not answer'];
}
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>LAMP pod</title>
<style>body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}th{text-align:left;padding-right:2rem}</style>
<h1>LAMP pod</h1>
<table>
<?php foreach ($facts as $name => $value): ?>
<tr><th><?= htmlspecialchars($name) ?></th><td><?= htmlspecialchars($value) ?></td></tr>
<?php endforeach ?>
</table>
