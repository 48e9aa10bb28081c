import type { NextRequest } from 'next/server'
import { answer } from '../../lib/answer'
import { admit, patients } from '../../lib/patients'

export const GET = (request: NextRequest) =>
  answer(() => patients(request.nextUrl.searchParams.get('email') ?? undefined))

export const POST = (request: NextRequest) => answer(async () => admit(await request.json()))
