//#region src/keys/duration.d.ts
/** Milliseconds, or a text such as `'90d'`, `'12h'`, `'5m'`, `'30s'`. */
type Duration = number | string;
//#endregion
export { Duration as t };