class LocalStack {}

export { LocalStack as "module.exports" };
