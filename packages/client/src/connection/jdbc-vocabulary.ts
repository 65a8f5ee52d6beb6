/** pgjdbc's connection properties (https://jdbc.postgresql.org/documentation/use/#connection-parameters). Names are
 *  case-sensitive. */
import { type DriverVocabulary, same, wholeNumber, words } from "./driver-vocabulary.js";

export const JDBC_VOCABULARY: DriverVocabulary = {
  driver: "jdbc",
  translations: {
    application_name: same("ApplicationName"),
    channel_binding: words("channelBinding", { disable: "disable", prefer: "prefer", require: "require" }),
    connect_timeout: wholeNumber("connectTimeout", 2_147_483),
    gssencmode: words("gssEncMode", { disable: "disable", prefer: "prefer", require: "require" }, ["allow"]),
    keepalives: words("tcpKeepAlive", { "0": "false", "1": "true" }),
    krbsrvname: same("kerberosServerName"),
    load_balance_hosts: words("loadBalanceHosts", { disable: "false", random: "true" }),
    options: same("options"),
    replication: words("replication", { true: "true", database: "database" }),
    require_auth: same("requireAuth"),
    service: same("service"),
    sslcert: same("sslcert"),
    sslkey: same("sslkey"),
    sslmode: words("sslmode", {
      disable: "disable",
      allow: "allow",
      prefer: "prefer",
      require: "require",
      "verify-ca": "verify-ca",
      "verify-full": "verify-full",
    }),
    sslnegotiation: words("sslNegotiation", { postgres: "postgres", direct: "direct" }),
    sslpassword: same("sslpassword"),
    sslrootcert: same("sslrootcert"),
    target_session_attrs: words(
      "targetServerType",
      { any: "any", primary: "primary", standby: "secondary", "prefer-standby": "preferSecondary" },
      ["preferPrimary", "master", "slave", "preferSlave"],
    ),
  },
  aliases: {},
  // `user`, `password`, `ssl` and the PG* properties are read by the form itself.
  own: (
    "adaptiveFetch adaptiveFetchMaximum adaptiveFetchMinimum allowEncodingChanges assumeMinServerVersion " +
    "authenticationPluginClassName autosave binaryTransfer binaryTransferDisable binaryTransferEnable " +
    "cancelSignalTimeout classLoaderStrategy cleanupSavepoints connectExecutor connectExecutorArg " +
    "convertBooleanToNumeric currentSchema databaseMetadataCacheFields databaseMetadataCacheFieldsMiB " +
    "defaultRowFetchSize disableColumnSanitiser escapeSyntaxCallMode flushCacheOnDdl groupStartupParameters gsslib " +
    "gssResponseTimeout gssUseDefaultCreds hideUnprivilegedObjects hostRecheckSeconds jaasApplicationName jaasLogin " +
    "localSocketAddress loggerFile loggerLevel loginTimeout logServerErrorDetail logUnclosedConnections " +
    "maxResultBuffer maxSendBufferSize preferQueryMode preparedStatementCacheQueries " +
    "preparedStatementCacheSizeMiB prepareThreshold protocolVersion queryTimeout quoteReturningIdentifiers readOnly " +
    "readOnlyMode receiveBufferSize reWriteBatchedInserts reWriteBatchedInsertsSize scramMaxIterations " +
    "sendBufferSize socketFactory socketFactoryArg socketTimeout sslfactory sslfactoryarg sslhostnameverifier " +
    "sslpasswordcallback sslResponseTimeout sspiServiceClass stringtype tcpNoDelay unknownLength useSpnego " +
    "xmlFactoryFactory"
  ).split(" "),
  fold: (name) => name,
};
