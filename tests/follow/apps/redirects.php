<?php
// PHP's ways to redirect, as the router of its built-in server.
$status = (int) ($_GET["status"] ?? 302);
if ($_SERVER["SCRIPT_NAME"] === "/written") {
    header("Location: /here", true, $status);
    echo "moved\n";
} else {
    header("Location: /here", true, $status);
}
