/** The function that delivers, and its queue. */
export const WEBHOOKS = "webhooks";
