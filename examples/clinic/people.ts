import type { Random } from './random.js'

/** An invented person. */
export interface Person {
  readonly name: string
  readonly city: string
  readonly phone: string
  /** For an e-mail address. */
  readonly handle: string
}

/** Names as they are written at home; after a bar, how their e-mail address spells them. */
interface Country {
  readonly given: readonly string[]
  readonly family: readonly string[]
  readonly cities: readonly string[]
  /** # is a digit. */
  readonly phone: string
  readonly familyFirst?: true
}

const COUNTRIES: readonly Country[] = [
  {
    given: ['Jürgen', 'Anneliese', 'Sönke', 'Käthe', 'Friedrich'],
    family: ['Müller', 'Weiß|weiss', 'Schröder', 'Grünewald', 'von der Heide'],
    cities: ['Berlin', 'Köln', 'Görlitz'],
    phone: '+49 30 #######',
  },
  {
    given: ['芳|fang', '伟|wei', '秀英|xiuying', '子涵|zihan', '建国|jianguo'],
    family: ['王|wang', '李|li', '欧阳|ouyang', '陈|chen', '刘|liu'],
    cities: ['上海', '苏州', '杭州'],
    phone: '+86 138 #### ####',
    familyFirst: true,
  },
  {
    given: ['Seán', 'Aoife', 'Niamh', 'Pádraig', 'Caoimhe'],
    family: ["O'Brien|obrien", 'Ní Dhomhnaill', 'Mac Giolla Phádraig', "D'Arcy|darcy", 'Walsh'],
    cities: ['Dublin', 'Galway', 'Cork'],
    phone: '+353 85 ### ####',
  },
  {
    given: ['Łukasz|lukasz', 'Małgorzata|malgorzata', 'Zbigniew', 'Agnieszka', 'Świętosława|swietoslawa'],
    family: ['Żółkiewski|zolkiewski', 'Wiśniewska', 'Kowalczyk', 'Dąbrowska', 'Brzęczyszczykiewicz'],
    cities: ['Kraków', 'Łódź', 'Gdańsk'],
    phone: '+48 6## ### ###',
  },
  {
    given: ['Олена|olena', 'Тарас|taras', 'Соломія|solomiia', 'Мирослав|myroslav'],
    family: ['Шевченко|shevchenko', 'Коваленко|kovalenko', 'Гончарук|honcharuk', 'Ющенко|yushchenko'],
    cities: ['Київ', 'Львів', 'Одеса'],
    phone: '+380 44 ### ## ##',
  },
  {
    given: ['さくら|sakura', '健太|kenta', '陽子|yoko', '翔|sho'],
    family: ['佐藤|sato', '髙橋|takahashi', '渡邊|watanabe', '小鳥遊|takanashi'],
    cities: ['東京', '大阪', '札幌'],
    phone: '+81 90 #### ####',
    familyFirst: true,
  },
  {
    given: ['José María', 'Iñaki', 'Begoña', 'Ángela', 'Núria'],
    family: ['Núñez Ibáñez', 'García Márquez', 'Etxeberria', 'Peña', 'Güell'],
    cities: ['Logroño', 'Cádiz', 'A Coruña'],
    phone: '+34 6## ## ## ##',
  },
  {
    given: ['Nguyễn Thị Hồng|hong', 'Trần Văn Đức|duc', 'Lê Ánh|anh', 'Phạm Quốc|quoc'],
    family: ['Nhung', 'Hạnh', 'Tuấn', 'Phượng'],
    cities: ['Hà Nội', 'Đà Nẵng', 'Huế'],
    phone: '+84 9# ### ## ##',
  },
  {
    given: ['Ελένη|eleni', 'Γιώργος|giorgos', 'Σοφία|sofia', 'Νίκος|nikos'],
    family: ['Παπαδοπούλου|papadopoulou', 'Νικολάου|nikolaou', 'Βλάχος|vlachos'],
    cities: ['Αθήνα', 'Πάτρα', 'Χανιά'],
    phone: '+30 21# ### ####',
  },
]

export function inventPerson(random: Random): Person {
  const country = random.pick(COUNTRIES)
  const [given, givenHandle] = spelling(random.pick(country.given))
  const [family, familyHandle] = spelling(random.pick(country.family))
  return {
    name: country.familyFirst ? `${family}${given}` : `${given} ${family}`,
    city: random.pick(country.cities),
    phone: country.phone.replace(/#/g, () => random.digits(1)),
    handle: `${givenHandle}.${familyHandle}`,
  }
}

function spelling(entry: string): [native: string, handle: string] {
  const [native = '', latin = native] = entry.split('|')
  const plain = latin.normalize('NFD').replace(/\p{Mn}/gu, '')
  return [native, plain.toLowerCase().replaceAll(' ', '-')]
}
