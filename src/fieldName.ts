/** The model and the field of `Model.field`; a field's own name may have dots in it, where it is in an embedded entity. */
export function splitFieldName(name: string): readonly [model: string, field: string] {
  const at = name.indexOf('.')
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)]
}
