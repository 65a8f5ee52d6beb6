/** Npgsql's keywords (https://www.npgsql.org/doc/connection-string-parameters.html), with those that older versions had.
 *  Neither case nor spaces matter: `SSL Mode`, `sslmode` and `SslMode` are one. */
import { type DriverVocabulary, same, wholeNumber, words } from "./driver-vocabulary.js";

const REQUIRE_AUTH: Readonly<Record<string, string>> = {
  password: "Password",
  md5: "MD5",
  gss: "GSS",
  sspi: "SSPI",
  "scram-sha-256": "ScramSHA256",
  none: "None",
};

export const NPGSQL_VOCABULARY: DriverVocabulary = {
  driver: "npgsql",
  translations: {
    application_name: same("Application Name"),
    channel_binding: words("Channel Binding", { disable: "Disable", prefer: "Prefer", require: "Require" }),
    client_encoding: same("Client Encoding"),
    connect_timeout: wholeNumber("Timeout", 1024),
    gssencmode: words("GSS Encryption Mode", { disable: "Disable", prefer: "Prefer", require: "Require" }),
    keepalives: words("TCP Keepalive", { "0": "False", "1": "True" }),
    keepalives_idle: wholeNumber("TCP Keepalive Time", 2_147_483_647),
    keepalives_interval: wholeNumber("TCP Keepalive Interval", 2_147_483_647),
    krbsrvname: same("Kerberos Service Name"),
    load_balance_hosts: words("Load Balance Hosts", { disable: "False", random: "True" }),
    options: same("Options"),
    passfile: same("Passfile"),
    require_auth: {
      name: "Require Auth",
      out: (value) => translateMethods(value, REQUIRE_AUTH),
      in: (value) => translateMethods(value, invert(REQUIRE_AUTH)),
      ownValues: [],
    },
    sslcert: same("SSL Certificate"),
    sslkey: same("SSL Key"),
    sslmode: words("SSL Mode", {
      disable: "Disable",
      allow: "Allow",
      prefer: "Prefer",
      require: "Require",
      "verify-ca": "VerifyCA",
      "verify-full": "VerifyFull",
    }),
    sslnegotiation: words("SSL Negotiation", { postgres: "Postgres", direct: "Direct" }),
    sslpassword: same("SSL Password"),
    sslrootcert: same("Root Certificate"),
    target_session_attrs: words(
      "Target Session Attributes",
      {
        any: "any",
        primary: "primary",
        standby: "standby",
        "prefer-standby": "prefer-standby",
        "read-write": "read-write",
        "read-only": "read-only",
      },
      ["prefer-primary"],
    ),
  },
  aliases: {
    clientcertificate: "SSL Certificate",
    clientcertificatekey: "SSL Key",
    includeerrordetails: "Include Error Detail",
    krbsrvname: "Kerberos Service Name",
    loadbalancetimeout: "Connection Lifetime",
    maxpoolsize: "Maximum Pool Size",
    minpoolsize: "Minimum Pool Size",
  },
  // Host, Port, Database, Username and Password are read by the form itself.
  own: [
    "Array Nullability Mode",
    "Auto Prepare Min Usages",
    "Cancellation Timeout",
    "Check Certificate Revocation",
    "Command Timeout",
    "Connection Idle Lifetime",
    "Connection Lifetime",
    "Connection Pruning Interval",
    "EF Admin Database",
    "EF Template Database",
    "Encoding",
    "Enlist",
    "Host Recheck Seconds",
    "Include Error Detail",
    "Include Failed Batched Command",
    "Include Realm",
    "Integrated Security",
    "Internal Command Timeout",
    "Keepalive",
    "Load Table Composites",
    "Log Parameters",
    "Max Auto Prepare",
    "Maximum Pool Size",
    "Minimum Pool Size",
    "Multiplexing",
    "No Reset On Close",
    "Persist Security Info",
    "Pooling",
    "Read Buffer Size",
    "Replication Mode",
    "Search Path",
    "Server Compatibility Mode",
    "Socket Receive Buffer Size",
    "Socket Send Buffer Size",
    "Timezone",
    "Trust Server Certificate",
    "Write Buffer Size",
    "Write Coalescing Buffer Threshold Bytes",
  ],
  fold: (name) => name.toLowerCase().replaceAll(" ", ""),
};

/** `!md5,!password`: each method in the other's words, or null when one of them has no word. */
function translateMethods(value: string, methods: Readonly<Record<string, string>>): string | null {
  const translated = value.split(",").map((each) => {
    const [, not = "", method = ""] = /^ *(!?)(.*?) *$/s.exec(each) ?? [];
    return Object.hasOwn(methods, method) ? `${not}${methods[method]}` : null;
  });
  return translated.includes(null) ? null : translated.join(",");
}

function invert(pairs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(pairs).map(([ours, theirs]) => [theirs, ours]));
}
