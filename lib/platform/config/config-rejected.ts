/** What a configuration file holds cannot come into force; the message says where and why. */
export class ConfigRejected extends Error {
  override readonly name = "ConfigRejected";
}
