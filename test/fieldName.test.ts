import { describe, expect, it } from '@jest/globals'
import { splitFieldName } from '../src/fieldName.js'

describe('splitFieldName', () => {
  it('gives the model and the field', () => {
    expect(splitFieldName('User.email')).toEqual(['User', 'email'])
  })

  it('leaves the dots of a field in an embedded entity alone', () => {
    expect(splitFieldName('User.profile.phone')).toEqual(['User', 'profile.phone'])
  })

  it('gives no field where there is none', () => {
    expect(splitFieldName('User')).toEqual(['User', ''])
  })
})
