"""The pages about people: clients for therapists and administrators, the clinic for administrators."""

from django.urls import path

from clients.views import clients, clinic

client_pages = [
    path("", clients.listing, name="list"),
]
clinic_pages = [
    path("", clinic.people, name="people"),
]
