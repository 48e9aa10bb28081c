import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedHierarchical, testedLocal, testedRedundant, testedTenant, testedTencent } from './tested.js'

for (const tested of [testedTencent, testedLocal, testedRedundant, testedHierarchical, testedTenant])
  testKms(tested, { describe, it })
