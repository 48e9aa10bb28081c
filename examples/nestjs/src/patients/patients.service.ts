import { Injectable, NotFoundException } from '@nestjs/common'
import { InjectRepository } from '@nestjs/typeorm'
import type { Repository } from 'typeorm'
import type { Admission } from './admission.js'
import { Patient } from './patient.entity.js'

@Injectable()
export class PatientsService {
  constructor(@InjectRepository(Patient) private readonly patients: Repository<Patient>) {}

  admit(clinic: string, { name, email, phone, allergies }: Admission): Promise<Patient> {
    const patient = { clinic, name, email, phone: phone ?? null, allergies: allergies ?? null }
    return this.patients.save(this.patients.create(patient))
  }

  findByEmail(email: string): Promise<Patient[]> {
    return this.patients.findBy({ email })
  }

  async get(id: string): Promise<Patient> {
    const patient = await this.patients.findOneBy({ id })
    if (!patient) throw new NotFoundException()
    return patient
  }
}
