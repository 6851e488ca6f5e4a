<?php
// Where the database is, from the container's environment. Applications may use it too.
declare(strict_types=1);

function connect_database(): PDO
{
    $source = sprintf('mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4',
        getenv('LAMP_DB_HOST'), getenv('LAMP_DB_PORT'), getenv('LAMP_DB_NAME'));
    return new PDO($source, getenv('LAMP_DB_USER'), file_get_contents(getenv('LAMP_DB_PASSWORD_FILE')), [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_TIMEOUT => 2,
    ]);
}
