/** Stands in the place of a secret. */
export const REDACTED = "[redacted]";
/** Shorter ones would hit words that are no secret. */
const SECRET_CHARACTERS_MIN = 6;

/**
 * Forms of credentials that say themselves what they are: private keys (RFC 7468), keys and tokens of AWS, GitHub,
 * GitLab, npm, Slack, Google, Stripe, OpenAI and Anthropic, JSON web tokens (RFC 7519), bearer tokens and passwords
 * in URLs.
 */
const FORMS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,10000}?-----END [A-Z ]{0,40}PRIVATE KEY-----/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36,255}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{22,255}\b/g,
  /\bglpat-[A-Za-z0-9_-]{20,255}/g,
  /\bnpm_[A-Za-z0-9]{36,255}\b/g,
  /\bxox[abpors]-[A-Za-z0-9-]{10,255}/g,
  /\bAIza[0-9A-Za-z_-]{35}/g,
  /\b[rs]k_live_[A-Za-z0-9]{16,255}\b/g,
  /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,255}/g,
  /\beyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}/g,
  /(?<=\bBearer )[A-Za-z0-9._~+/-]{16,4000}=*/g,
  /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{1,100}:)[^\s:/@"'<>]{3,200}(?=@)/g,
];

/** A setting whose name says that it is secret, and its value: `aws_secret_access_key = …`, `"password": "…"`. */
const NAMED =
  /((?:secret_?access_?key|api_?key|client_?secret|access_?token|auth_?token|private_?key|password|passwd)["']?\s{0,5}[:=]\s{0,5}["']?)([A-Za-z0-9+/=_.~-]{16,500})(?=["'\s,;]|$)/gi;

/** The text without the known secrets, and without what has the form of a credential. */
export function redactSecrets(text: string, known: readonly string[] = []): string {
  let plain = text;
  for (const secret of known) {
    if (secret.length >= SECRET_CHARACTERS_MIN) plain = plain.replaceAll(secret, REDACTED);
  }
  for (const form of FORMS) plain = plain.replace(form, REDACTED);
  return plain.replace(NAMED, (whole, name: string, value: string) =>
    /\d/.test(value) ? `${name}${REDACTED}` : whole,
  );
}
