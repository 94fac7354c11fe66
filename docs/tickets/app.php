<?php
// An app that lets in only who came by the door. Needs nothing but PHP's own sodium.
//     SERVER=shop-a DOOR=https://www.example.org STATE=/var/lib/shop php -S 127.0.0.1:8000 app.php
// STATE is a folder that this program's user alone may write: keys and used tickets are there.
declare(strict_types=1);

$server = getenv('SERVER');
$door = getenv('DOOR');
define('STATE', getenv('STATE'));

const KEYS_FOR_S = 900;
const LIFE_S = 60;

/** Whose ticket this is; throws when it is not good, or not for the first time. */
function redeem(string $ticket, string $server, string $door): string
{
    $parts = explode('.', $ticket);
    if (count($parts) !== 3) {
        throw new RuntimeException('this is no ticket');
    }
    [$head, $claims] = [decoded($parts[0]), decoded($parts[1])];
    if (($head['alg'] ?? null) !== 'EdDSA' || !is_string($head['kid'] ?? null)) {
        throw new RuntimeException('this is no ticket');
    }
    $signature = base64_url($parts[2]);
    if (strlen($signature) !== SODIUM_CRYPTO_SIGN_BYTES || !sodium_crypto_sign_verify_detached(
        $signature, "$parts[0].$parts[1]", public_key($head['kid'], $door)
    )) {
        throw new RuntimeException('the signature is wrong');
    }
    if (($claims['iss'] ?? null) !== $door) { // ROUTER_URL of Usher
        throw new RuntimeException('this ticket is another door\'s');
    }
    if (($claims['aud'] ?? null) !== $server) { // this server's name there
        throw new RuntimeException('this ticket is for another server');
    }
    if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= time()) {
        throw new RuntimeException('this ticket has expired');
    }
    use_once((string) $claims['jti']);
    return (string) $claims['sub'];
}

/** By its name; asked for again when it is an unknown one, and the copy is not of this minute. */
function public_key(string $kid, string $door): string
{
    $copy = STATE . '/keys-' . hash('sha256', $door);
    $age = is_file($copy) ? time() - filemtime($copy) : PHP_INT_MAX;
    $x = $age < KEYS_FOR_S ? key_in(file_get_contents($copy), $kid) : null;
    if ($x === null && $age >= LIFE_S) {
        $context = stream_context_create(['http' => ['timeout' => 5]]);
        $text = @file_get_contents("$door/.well-known/jwks.json", false, $context);
        if ($text === false) {
            throw new RuntimeException('the keys cannot be had');
        }
        file_put_contents($copy, $text, LOCK_EX);
        $x = key_in($text, $kid);
    }
    $key = $x === null ? '' : base64_url($x);
    if (strlen($key) !== SODIUM_CRYPTO_SIGN_PUBLICKEYBYTES) {
        throw new RuntimeException('the key is unknown');
    }
    return $key;
}

function key_in(string $keys, string $kid): ?string
{
    return array_column(json_decode($keys, true)['keys'] ?? [], 'x', 'kid')[$kid] ?? null;
}

/** A file for each used ticket: of two requests at once, one makes it. */
function use_once(string $id): void
{
    foreach (glob(STATE . '/used-*') as $old) {
        if (time() - (@filemtime($old) ?: time()) > 2 * LIFE_S) {
            @unlink($old);
        }
    }
    if (@fopen(STATE . '/used-' . hash('sha256', $id), 'x') === false) {
        throw new RuntimeException('this ticket was used before');
    }
}

function base64_url(string $text): string
{
    return (string) base64_decode(strtr($text, '-_', '+/'), true);
}

function decoded(string $part): array
{
    $value = json_decode(base64_url($part), true);
    return is_array($value) ? $value : [];
}

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'cookie_secure' => (bool) getenv('SECURE')]);
if (!isset($_SESSION['visitor']) && is_string($_GET['usher_ticket'] ?? null)) {
    try {
        $visitor = redeem($_GET['usher_ticket'], $server, $door);
        session_regenerate_id(true);
        $_SESSION['visitor'] = $visitor;
    } catch (RuntimeException $error) {
        http_response_code(403);
        header('Content-Type: text/plain');
        exit("No entry: {$error->getMessage()}\n");
    }
}
if (!isset($_SESSION['visitor'])) {
    header("Location: $door{$_SERVER['REQUEST_URI']}", true, 302);
    exit;
}
?>
<!doctype html><title>Shop</title>
<script src="<?= $door ?>/usher.js" data-server="<?= $server ?>" defer></script>
<p>Welcome, <?= htmlspecialchars($_SESSION['visitor']) ?>

